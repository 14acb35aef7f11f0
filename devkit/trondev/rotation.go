package trondev

// pair is one balance: a number in the mover's assets, and a wallet's number.
type pair struct{ asset, wallet int }

// rotation goes round all wallets and assets, so that every balance gets its turn.
type rotation struct {
	wallets int
	next    []int // by asset: the wallet whose turn it is
	turn    int   // the asset whose turn it is
}

// take returns the next count balances, none of them twice. The assets take turns, so each gets an equal share over time.
func (r *rotation) take(count int) []pair {
	var out []pair
	for range min(count, r.wallets*len(r.next)) {
		out = append(out, pair{r.turn, r.next[r.turn]})
		r.next[r.turn] = (r.next[r.turn] + 1) % r.wallets
		r.turn = (r.turn + 1) % len(r.next)
	}
	return out
}
