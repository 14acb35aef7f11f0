package wire

import (
	"encoding/json"
	"fmt"

	"github.com/google/uuid"
)

// Claim is a batch of leased rows of one chain, in sweep order, which is their order on disk. IDs, Wallets, Addresses,
// AssetOf and Epochs are parallel; AssetOf[i] is the index in Assets of row i's asset.
type Claim struct {
	// Name is the lease's holder, balsync:<instance>:<ulid>: the value of locked_by.
	Name   string `json:"claim"`
	Family string `json:"family"`
	Chain  string `json:"chain"`
	Lane   Lane   `json:"lane"`
	// MaxHeight is the highest height stored among the rows, 0 when there is none: a node below it would give stale values.
	MaxHeight int64       `json:"max_height"`
	Assets    []Asset     `json:"assets"`
	IDs       []uuid.UUID `json:"ids"`
	Wallets   []uuid.UUID `json:"wallets"`
	Addresses []string    `json:"addresses"`
	AssetOf   []int       `json:"asset"`
	Epochs    []int32     `json:"epochs"`
}

// Encode gives the payload. Texts must have passed [CleanText]; then [MaxRows] rows of the longest texts stay below 1 MiB.
func (c *Claim) Encode() ([]byte, error) {
	data, err := json.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("encode claim: %w", err)
	}
	return data, nil
}

// DecodeClaim reads a claim and checks that it is whole: columns of equal length, asset indexes in range, 1 to
// [MaxRows] rows. It does not judge addresses or contracts: a bad one is an error of its row, not of the message.
// Errors wrap [ErrUnknownSchema] or [ErrMalformed].
func DecodeClaim(schema string, data []byte) (*Claim, error) {
	if err := checkSchema(schema, SchemaClaims); err != nil {
		return nil, err
	}
	var c Claim
	if err := json.Unmarshal(data, &c); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if c.Name == "" || c.Chain == "" || c.Family == "" {
		return nil, fmt.Errorf("%w: claim without name, family or chain", ErrMalformed)
	}
	if n := len(c.IDs); n == 0 || n > MaxRows || len(c.Wallets) != n || len(c.Addresses) != n || len(c.AssetOf) != n || len(c.Epochs) != n {
		return nil, fmt.Errorf("%w: columns of %d, %d, %d, %d and %d rows", ErrMalformed, len(c.IDs), len(c.Wallets), len(c.Addresses), len(c.AssetOf), len(c.Epochs))
	}
	return &c, checkAssetIndexes(c.AssetOf, len(c.Assets))
}

func checkAssetIndexes(indexes []int, assets int) error {
	for row, index := range indexes {
		if index < 0 || index >= assets {
			return fmt.Errorf("%w: row %d names asset %d of %d", ErrMalformed, row, index, assets)
		}
	}
	return nil
}
