-- A new row learns its chain from its asset. A row that was given another wallet, asset or chain forgets the balance, which was
-- another's, and opens a new epoch, so that no read begun before the change can land on it.
-- SECURITY DEFINER: the application inserts rows without any right on our views. LIMIT 1: an adopter's view that has an asset twice
-- must not refuse the application's insert; the claim reports such a row.
CREATE FUNCTION balance_sync_row() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    NEW.chain_id := (SELECT a.chain_id FROM balance_sync_assets a WHERE a.asset_on_chain_id = NEW.asset_on_chain_id LIMIT 1);
    IF TG_OP = 'UPDATE' THEN
        NEW.on_chain_balance_raw   := NULL;
        NEW.on_chain_balance_human := NULL;
        NEW.last_checked           := NULL;
        NEW.last_error             := NULL;
        NEW.last_error_at          := NULL;
        NEW.error_count            := 0;
        NEW.observed_epoch         := OLD.observed_epoch + 1;
        NEW.observed_height        := NULL;
        NEW.observed_at            := NULL;
        NEW.observed_by            := NULL;
        NEW.due_at                 := '-infinity';
        NEW.priority               := greatest(NEW.priority, 1);
    END IF;
    RETURN NEW;
END
$$;

-- It sees the schema of wallet_balances and nothing before it. pg_temp is named, and last: unnamed it comes first, and whoever may
-- insert a row could put a temporary view in front of ours and have it run with the owner's rights.
DO $$ BEGIN EXECUTE format('ALTER FUNCTION balance_sync_row() SET search_path = %I, pg_temp', current_schema()); END $$;

REVOKE ALL ON FUNCTION balance_sync_row() FROM PUBLIC;
