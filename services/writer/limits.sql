-- How long one statement of this transaction may run, and wait for a lock. Gone with the transaction: behind a transaction pooler the
-- session is not ours. $1 statement_timeout  $2 lock_timeout, both as text with a unit
SELECT set_config('statement_timeout', $1, true), set_config('lock_timeout', $2, true);
