package claimer

import (
	"time"

	"github.com/balance-sync/balance-sync/shared/wire"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

// Verdict is what a claim did with a row that it picked.
type Verdict string

// The verdicts; lease.sql says what each does to the row.
const (
	Leased           Verdict = "leased"
	LeaseExpired     Verdict = "lease_expired"
	NoTarget         Verdict = "no_target"
	AmbiguousAddress Verdict = "ambiguous_address"
	Inactive         Verdict = "inactive"
	Moved            Verdict = "moved"
	Changed          Verdict = "changed"
)

// Row is a leased row and what is to be read for it.
type Row struct {
	ID, Wallet uuid.UUID
	// Address and the asset's contract are as the database has them, cut at 128 characters; null is "".
	Address string
	Asset   wire.Asset
	Epoch   int32
	// Height is where the stored balance stands, 0 when there is none.
	Height int64
}

// Claimed is what one claim found.
type Claimed struct {
	// Name is the value of locked_by: balsync:<instance>:<ulid>.
	Name string
	// Deadline is until when the lease may be trusted, on this process's monotonic clock.
	Deadline time.Time
	// Rows are those that were leased, in the order of the sweep.
	Rows []Row
	// Moved are the rows for [Store.Rehome].
	Moved []uuid.UUID
	// Asked is for how many rows the statement asked, Picked how many it found, leased or not, Last the sweep_seq of the last of them.
	Asked, Picked int
	Last          int64
	// Verdicts counts the picked rows. Lapsed are those of the leased whose former lease ended unanswered.
	Verdicts map[Verdict]int
	Lapsed   int
}

// Full reports whether there may be more where these rows were found. It goes by the rows that were picked: those that could not
// be leased were settled too, and must neither stop a sweep nor send it round again.
func (c *Claimed) Full() bool { return c.Picked >= c.Asked }

// IDs are those of the leased rows.
func (c *Claimed) IDs() []uuid.UUID {
	ids := make([]uuid.UUID, len(c.Rows))
	for i, row := range c.Rows {
		ids[i] = row.ID
	}
	return ids
}

// collect reads the rows of lease.sql.
func (c *Claimed) collect(rows pgx.Rows) error {
	var (
		verdict           string
		lapsed, native    bool
		id, wallet, asset pgtype.UUID
		address, contract pgtype.Text
		decimals, epoch   pgtype.Int4
		seq               int64
		height            pgtype.Int8
		into              = []any{&verdict, &lapsed, &seq, &id, &wallet, &address, &asset, &contract, &decimals, &native, &epoch, &height}
	)
	c.Verdicts = map[Verdict]int{}
	_, err := pgx.ForEachRow(rows, into, func() error {
		c.Picked++
		c.Last = max(c.Last, seq)
		c.Verdicts[Verdict(verdict)]++
		switch Verdict(verdict) {
		case Moved:
			c.Moved = append(c.Moved, id.Bytes)
		case Leased:
			if lapsed {
				c.Lapsed++
			}
			c.Rows = append(c.Rows, Row{ID: id.Bytes, Wallet: wallet.Bytes, Address: address.String, Epoch: epoch.Int32, Height: height.Int64,
				Asset: wire.Asset{ID: asset.Bytes, Contract: contract.String, Decimals: int(decimals.Int32), Native: native}})
		}
		return nil
	})
	return err
}
