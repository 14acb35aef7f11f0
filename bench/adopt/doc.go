// Package adopt holds tests of what docs/adopting.md promises to an application that has its tables already: the examples of deploy/adopt
// with 100,000 rows, both ways to migrate, and the services at work beside neighbours who know nothing of them; also behind PgBouncer.
//
// The figures of the document are those that the tests log:
//
//	go test -v -run Migrat ./bench/adopt
package adopt
