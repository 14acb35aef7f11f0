// Package schema brings a database to the schema of balance-sync, and says whether it is there.
//
// The steps are the numbered files in sql/, each a transaction of its own that also writes the step's row in
// balance_sync_migrations: a crash leaves a step done or not begun, and the next Up goes on from there. On an empty database they
// make the reference tables; on an existing one they add columns, two indexes and two triggers to wallet_balances and change
// nothing else. Where the neighbours' tables are is said by three views, which an adopter makes beforehand or replaces later.
//
// Filling in the chain is an UPDATE: the table's own triggers, an adopter's updated_at or audit, fire once for each row. Postgres 14 is
// the oldest that reads a range of pages without reading the whole table, which the batches below rely on.
//
// Everything of ours lives in the schema in which wallet_balances is found along the search_path of the connection.
//
// # Large tables
//
// Three steps have a second way, for a table too large to lock (Options.Online):
//
//	columns      added without a rewrite; the rows that exist read sweep_seq 0
//	fill         gives those rows their chain and sweep_seq in small transactions, and passes by rows that are locked
//	the indexes  built concurrently; an invalid one that a crash left is dropped and built again
//
// The two ways end in the same catalog and may be mixed: which way a step took is not remembered, because each step goes by what it
// finds. The order of the steps makes the indexes, the last of them, the proof that every row is filled; Ready asks for them.
//
// # Locks
//
// One Up works at a time in a database: each transaction holds an advisory lock until it ends. Table locks are waited for briefly
// (Options.LockWait) and asked for again after a pause, so that the traffic that queues behind the request is let through.
// No session state is used, so all of this works through a transaction pooler; only a concurrent index build, which cannot run in a
// transaction, keeps the role's own lock_timeout and statement_timeout.
package schema
