// Package writer applies what the fetchers found to wallet_balances.
//
// A message is one result: some rows of one claim, read at one height. What becomes of it:
//
//	           ┌── unknown schema, malformed, of another chain ──────────────► dead letter
//	           ├── has killed its readers again and again ───────────────────► dead letter, unread
//	result ────┤
//	           └── judged row by row ──► one transaction ──┬── COMMIT ───────► ack
//	                                        ▲     ▲        ├── a row's data ─► the halves apart; at last the row alone:
//	                                        │     │        │                   its error, and a dead letter of one row
//	                                        │     └────────┼── busy rows: a few more tries, then left to their leases
//	                                        └──────────────┴── anything else: all of it again, for as long as it takes
//
// A row is judged twice. Before the database: is the height one that the chain can have reached? In the transaction: is the
// amount a uint256, does the asset still have the contract and the decimals that were read? What fails is applied as
// an error of the row, so that its lease is freed. Then apply.sql compares it with the row itself.
//
// Nothing depends on messages coming once or in order: see apply.sql. So a crash at any point leaves a message that comes again and
// changes nothing that it has changed already.
package writer
