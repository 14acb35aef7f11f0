-- Where chains, assets and addresses are. These are the views that the migration makes where they are missing, so with tables like these
-- nothing needs to be written; start from here where yours differ. OR REPLACE keeps the grants, the casts keep the types.
CREATE OR REPLACE VIEW balance_sync_chains AS
SELECT id AS chain_id, lower(name)::text AS name, coalesce(is_active, false) AS active
  FROM chains;

CREATE OR REPLACE VIEW balance_sync_assets AS
SELECT id AS asset_on_chain_id, chain_id, contract_address::text AS contract_address, decimals::integer AS decimals,
       coalesce(is_native, false) AS is_native
  FROM asset_on_chain;

CREATE OR REPLACE VIEW balance_sync_addresses AS
SELECT id AS wallet_id, NULL::uuid AS chain_id, address::text AS address, true AS active
  FROM wallets;
