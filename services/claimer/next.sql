-- Where a chain's sweep goes on, however far that is, and where it ends: the first row behind a place and the last of all, null if
-- there is none. Each is one probe of the index. $1 chain  $2 place, exclusive
SELECT (SELECT sweep_seq FROM wallet_balances WHERE chain_id = $1 AND sweep_seq > $2 ORDER BY sweep_seq LIMIT 1),
       (SELECT sweep_seq FROM wallet_balances WHERE chain_id = $1 ORDER BY sweep_seq DESC LIMIT 1);
