package chain

import (
	"fmt"
	"strconv"
	"strings"
)

// Finality says which block a chain is read at.
type Finality struct {
	// Tag is latest, safe or finalized for EVM; solid or head for TRON.
	Tag string
	// Lag is N of latest-N: how many blocks below the newest.
	Lag int64
}

// String gives the form of the configuration: "latest-2", "safe".
func (f Finality) String() string {
	if f.Lag > 0 {
		return fmt.Sprintf("%s-%d", f.Tag, f.Lag)
	}
	return f.Tag
}

// maxLag is the deepest that latest-N may read: full nodes drop state after 128 blocks, and the claim takes time too.
const maxLag = 64

// ParseFinality reads latest, latest-N (N up to 64), safe or finalized for EVM, and solid or head for TRON.
func ParseFinality(family Family, text string) (Finality, error) {
	switch family {
	case TRON:
		if text == "solid" || text == "head" {
			return Finality{Tag: text}, nil
		}
		return Finality{}, fmt.Errorf("finality %q: a tron chain takes solid or head", text)
	default:
		switch text {
		case "latest", "safe", "finalized":
			return Finality{Tag: text}, nil
		}
		if digits, ok := strings.CutPrefix(text, "latest-"); ok {
			lag, err := strconv.ParseInt(digits, 10, 64)
			if err == nil && lag >= 0 && lag <= maxLag && digits == strconv.FormatInt(lag, 10) {
				return Finality{Tag: "latest", Lag: lag}, nil
			}
		}
		return Finality{}, fmt.Errorf("finality %q: an evm chain takes latest, latest-N with N up to %d, safe or finalized", text, maxLag)
	}
}
