-- Records what happens to rows that a neighbour or a claim holds, and who did it. The test's own: no part of balance-sync.
CREATE TABLE audit (
    what      text NOT NULL,   -- foreign: the row carried a neighbour's status; lease: a lease of ours ended; back: the stored balance went back
    row_id    uuid NOT NULL,
    status    text,
    holder    text,
    held_to   timestamptz,
    who       text NOT NULL DEFAULT current_setting('application_name'),
    at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    counted   boolean NOT NULL DEFAULT false
);
-- SECURITY DEFINER: the services may write to no table but wallet_balances, and a trigger runs with the rights of whoever fires it.
CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    INSERT INTO audit (what, row_id, status, holder, held_to, counted)
    VALUES (TG_ARGV[0], OLD.id, OLD.processing_status, OLD.locked_by, OLD.locked_until, OLD.sync_count IS DISTINCT FROM NEW.sync_count);
    RETURN NULL;
END
$$;
CREATE TRIGGER audit_foreign AFTER UPDATE ON wallet_balances FOR EACH ROW
    WHEN (OLD.processing_status NOT IN ('idle', 'processing')) EXECUTE FUNCTION audit('foreign');
CREATE TRIGGER audit_lease AFTER UPDATE ON wallet_balances FOR EACH ROW
    WHEN (OLD.processing_status = 'processing' AND OLD.locked_by LIKE 'balsync:%'
          AND (NEW.processing_status IS DISTINCT FROM 'processing' OR NEW.locked_by IS DISTINCT FROM OLD.locked_by))
    EXECUTE FUNCTION audit('lease');
CREATE TRIGGER audit_back AFTER UPDATE ON wallet_balances FOR EACH ROW
    WHEN ((NEW.observed_epoch, coalesce(NEW.observed_height, -1), coalesce(NEW.observed_at, '-infinity'))
        < (OLD.observed_epoch, coalesce(OLD.observed_height, -1), coalesce(OLD.observed_at, '-infinity')))
    EXECUTE FUNCTION audit('back');
-- A count that moves without a lease of ours is wrong, whoever moved it.
CREATE TRIGGER audit_count AFTER UPDATE ON wallet_balances FOR EACH ROW
    WHEN (OLD.sync_count IS DISTINCT FROM NEW.sync_count AND NOT coalesce(OLD.processing_status = 'processing' AND OLD.locked_by LIKE 'balsync:%', false))
    EXECUTE FUNCTION audit('count');
