package fetch

// RunWith is [Run] with a context of the test's own for work in hand.
var RunWith = run
