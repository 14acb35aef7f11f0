-- Where a wallet lives. chain_id null: the address serves every chain. active null counts as active; two active addresses for one
-- wallet on one chain are the row error ambiguous_address.
CREATE VIEW balance_sync_addresses AS
SELECT id AS wallet_id, NULL::uuid AS chain_id, address::text AS address, true AS active
  FROM wallets;
