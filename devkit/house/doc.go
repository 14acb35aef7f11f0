// Package house holds the rules of this repository that no compiler checks, as tests: which way imports run, what no
// service may link, how large a file may be, what no test may do.
package house
