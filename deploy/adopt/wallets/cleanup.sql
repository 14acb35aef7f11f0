-- After the old loop has been switched off: its queue. As long as it is there every claim and every apply writes to all indexes of the
-- table, which costs about three times as much.
DROP INDEX CONCURRENTLY wallet_balances_queue;
