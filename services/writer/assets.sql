-- The assets of one chain as they are now, of those named. One without decimals matches no result. $1 ids  $2 chain
SELECT asset_on_chain_id, coalesce(contract_address, ''), decimals, coalesce(is_native, false)
  FROM balance_sync_assets
 WHERE asset_on_chain_id = ANY ($1::uuid[]) AND chain_id = $2 AND decimals IS NOT NULL;
