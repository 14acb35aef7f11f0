package claimer

import (
	"fmt"
	"strconv"
	"time"

	"github.com/balance-sync/balance-sync/shared/chain"
	"github.com/balance-sync/balance-sync/shared/wire"
	"github.com/google/uuid"
	"github.com/nats-io/nats.go"
)

// claimOf gives the claim that says what was leased: columns in the order of the rows, each asset once, texts fit to be sent.
func claimOf(c *Claimed, to chain.Config, lane wire.Lane) *wire.Claim {
	n := len(c.Rows)
	claim := &wire.Claim{Name: c.Name, Family: string(to.Family), Chain: to.Name, Lane: lane,
		IDs: c.IDs(), Wallets: make([]uuid.UUID, n), Addresses: make([]string, n), AssetOf: make([]int, n), Epochs: make([]int32, n)}
	place := map[wire.Asset]int{}
	for i, row := range c.Rows {
		asset := row.Asset
		asset.Contract = wire.CleanText(asset.Contract)
		at, known := place[asset]
		if !known {
			at = len(claim.Assets)
			place[asset], claim.Assets = at, append(claim.Assets, asset)
		}
		claim.Wallets[i], claim.Addresses[i], claim.AssetOf[i], claim.Epochs[i] = row.Wallet, wire.CleanText(row.Address), at, row.Epoch
		claim.MaxHeight = max(claim.MaxHeight, row.Height)
	}
	return claim
}

// parcel is a claim as it is sent.
type parcel struct {
	subject  string
	data     []byte
	header   nats.Header
	deadline time.Time
}

func newParcel(c *Claimed, to chain.Config, lane wire.Lane, producer string) (*parcel, error) {
	data, err := claimOf(c, to, lane).Encode()
	if err != nil {
		return nil, fmt.Errorf("claim %s: %w", c.Name, err)
	}
	header := nats.Header{}
	header.Set(wire.HeaderSchema, wire.SchemaClaims)
	header.Set(wire.HeaderClaim, c.Name)
	header.Set(wire.HeaderRows, strconv.Itoa(len(c.Rows)))
	header.Set(wire.HeaderProducer, producer)
	return &parcel{subject: wire.ClaimSubject(string(to.Family), to.Name, lane), data: data, header: header, deadline: c.Deadline}, nil
}

// at gives the message for a try now. What is left of the lease shrinks from try to try: a reader adds to it only the age of the
// message, which begins when the broker stores it. ok is false when nothing is left.
func (p *parcel) at(now time.Time) (msg *nats.Msg, ok bool) {
	left := p.deadline.Sub(now).Milliseconds()
	if left <= 0 {
		return nil, false
	}
	msg = &nats.Msg{Subject: p.subject, Data: p.data, Header: nats.Header{}}
	for key, values := range p.header {
		msg.Header[key] = values
	}
	msg.Header.Set(wire.HeaderLeaseLeft, strconv.FormatInt(left, 10))
	return msg, true
}
