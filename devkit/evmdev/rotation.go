package evmdev

// rotation goes round all wallets and assets, so that every balance gets its turn.
type rotation struct {
	wallets int
	next    []int // by asset: the wallet whose turn it is
	turn    int   // the asset whose turn it is
}

// take returns the next count balances, none of them twice. The assets take turns, so each gets an
// equal share over time.
func (r *rotation) take(count int) []stretch {
	shares := make([]int, len(r.next))
	for range min(count, r.wallets*len(r.next)) {
		shares[r.turn]++
		r.turn = (r.turn + 1) % len(r.next)
	}
	var out []stretch
	for asset, share := range shares {
		for share > 0 {
			from := r.next[asset]
			to := min(from+share, r.wallets)
			out = append(out, stretch{asset, from, to})
			share -= to - from
			r.next[asset] = to % r.wallets
		}
	}
	return out
}
