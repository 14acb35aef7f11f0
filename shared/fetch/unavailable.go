package fetch

import (
	"cmp"
	"errors"

	"github.com/balance-sync/balance-sync/shared/upstream"
	"github.com/balance-sync/balance-sync/shared/wire"
)

// Unavailable gives the outcome of rows for which a pool had nobody to ask: with the code that all its endpoints are out for, else
// as unreachable. clean makes the pool's words fit to leave.
func Unavailable(err error, clean func(string) string) Outcome {
	code := wire.CodeUnreachable
	var none *upstream.Unavailable
	if errors.As(err, &none) && none.Code() != upstream.Unchecked {
		code = cmp.Or(none.Code(), code)
	}
	return EndpointError(code, clean(err.Error()))
}
