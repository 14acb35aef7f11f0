package upstream

import "errors"

// The retry budget: of five first tries one may be made again elsewhere, and what was not used is saved up to retryFloor, so
// that the readings that are under way when a node dies can all move. Without it a fault that all endpoints share, and
// that breaks none of them, would be asked about three times.
const (
	retryShare = 0.2
	retryFloor = 10
)

// ErrRetryBudget is the error of a pick that would be one retry too many. The rows are not lost: their claim's next try is a first try.
var ErrRetryBudget = errors.New("the chain's retry budget is spent")

// retries is the retry budget of a chain. The pool's mutex guards it.
type retries struct {
	left             float64
	granted, refused uint64
}

// allow counts a pick, and reports whether it may be made.
func (r *retries) allow(again bool) bool {
	switch {
	case !again:
		r.left = min(r.left+retryShare, retryFloor)
	case r.left < 1:
		r.refused++
		return false
	default:
		r.left--
		r.granted++
	}
	return true
}

// retryCounts gives how many retries were granted and refused so far.
func (p *Pool) retryCounts() (granted, refused uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.retries.granted, p.retries.refused
}
