-- Where chains, assets and addresses are: all that an application with tables of its own writes. Run it before the migration; run it
-- again, in one transaction, after a change. OR REPLACE keeps the grants, the casts keep the types.
CREATE OR REPLACE VIEW balance_sync_chains AS
SELECT id AS chain_id, lower(slug)::text AS name, coalesce(enabled, false) AS active
  FROM chains;

CREATE OR REPLACE VIEW balance_sync_assets AS
SELECT id AS asset_on_chain_id, chain_id, token_address::text AS contract_address, token_decimals::integer AS decimals,
       token_address IS NULL AS is_native
  FROM asset_on_chain;

-- chain_id null serves every chain. Of one wallet at most one active address may serve a chain: two are the row error ambiguous_address.
-- UNION ALL, not UNION: a claim then looks up each wallet by the index of either table.
CREATE OR REPLACE VIEW balance_sync_addresses AS
SELECT wallet_id, chain_id, address::text AS address, coalesce(is_active, true) AS active
  FROM user_wallet_addresses
UNION ALL
SELECT wallet_id, chain_id, address::text AS address, coalesce(is_active, true) AS active
  FROM operation_wallet_addresses;
