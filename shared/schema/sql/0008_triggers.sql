-- Before any row is filled or swept: from here on no row comes without its chain.
CREATE TRIGGER balance_sync_insert BEFORE INSERT ON wallet_balances
    FOR EACH ROW EXECUTE FUNCTION balance_sync_row();

-- Claim, apply and release name none of these columns and so never fire it. Nor does giving a chain to a row that had none: nothing
-- was read for it yet.
CREATE TRIGGER balance_sync_target BEFORE UPDATE OF wallet_id, asset_on_chain_id, chain_id ON wallet_balances
    FOR EACH ROW
    WHEN (OLD.wallet_id IS DISTINCT FROM NEW.wallet_id
          OR OLD.asset_on_chain_id IS DISTINCT FROM NEW.asset_on_chain_id
          OR OLD.chain_id IS NOT NULL AND OLD.chain_id IS DISTINCT FROM NEW.chain_id)
    EXECUTE FUNCTION balance_sync_row();
