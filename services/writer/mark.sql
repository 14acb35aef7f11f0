-- How far the stored rows of a chain say that it has come, and by when. Visits every row of the chain once. $1 chain
SELECT max(observed_height), max(observed_at) FROM wallet_balances WHERE chain_id = $1;
