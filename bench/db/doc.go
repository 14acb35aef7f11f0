// Package db benches the database part alone: one claimer that leases and one writer that applies, on a real Postgres with
// commits that reach the disk, over a table of a million rows in five chains. The same run measures the seed's loop: fifty rows
// at a time, seven statements a row, its RPC call taken out. The two alternate, since machines are noisy: only the ratio counts.
package db
