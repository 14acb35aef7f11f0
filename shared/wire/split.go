package wire

import (
	"encoding/json"
	"fmt"
)

// Encode gives the payload in as many parts as it takes to keep each below limit bytes. Every part is a whole
// result of its own, with some of the rows in their order. A single row above the limit is an error.
func (r *Result) Encode(limit int) ([][]byte, error) {
	data, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("encode result: %w", err)
	}
	if len(data) <= limit && len(r.IDs) <= MaxRows {
		return [][]byte{data}, nil
	}
	n := len(r.IDs)
	if n <= 1 {
		return nil, fmt.Errorf("encode result: a row takes %d bytes, %d are allowed", len(data), limit)
	}
	head, err := r.slice(0, n/2).Encode(limit)
	if err != nil {
		return nil, err
	}
	tail, err := r.slice(n/2, n).Encode(limit)
	if err != nil {
		return nil, err
	}
	return append(head, tail...), nil
}

// slice gives the rows from (inclusive) to end (exclusive) as a result with only the assets that they name.
func (r *Result) slice(from, end int) *Result {
	part := *r
	part.IDs, part.Wallets = r.IDs[from:end], r.Wallets[from:end]
	part.Epochs, part.Raw = r.Epochs[from:end], r.Raw[from:end]
	part.Assets, part.AssetOf, part.Errors = nil, make([]int, 0, end-from), nil
	place := map[int]int{}
	for _, asset := range r.AssetOf[from:end] {
		if _, known := place[asset]; !known {
			place[asset] = len(part.Assets)
			part.Assets = append(part.Assets, r.Assets[asset])
		}
		part.AssetOf = append(part.AssetOf, place[asset])
	}
	for _, e := range r.Errors {
		if e.Row >= from && e.Row < end {
			e.Row -= from
			part.Errors = append(part.Errors, e)
		}
	}
	return &part
}

// Row gives row i as a result of its own, such as for a dead letter that names the one row it is about.
func (r *Result) Row(i int) *Result { return r.slice(i, i+1) }
