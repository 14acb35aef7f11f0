-- What is read on which chain: at most one row for an asset. A native asset has no contract; decimals null is the row error no_target.
CREATE VIEW balance_sync_assets AS
SELECT id AS asset_on_chain_id, chain_id, contract_address::text AS contract_address, decimals::integer AS decimals,
       coalesce(is_native, false) AS is_native
  FROM asset_on_chain;
