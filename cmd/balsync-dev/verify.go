package main

import (
	"context"
	"fmt"
	"math/big"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// stored is a row as the table has it at the end.
type stored struct {
	id        uuid.UUID
	raw       *string
	human     *string
	height    *int64
	decimals  *int
	contract  string
	address   string
	lastError *string
}

// verdicts of one row.
const (
	right      = "right"
	wrong      = "wrong"
	unverified = "unverified" // a value on a chain whose truth nobody here knows
	none       = "none"       // no value
)

const storedRows = `
SELECT b.id, b.on_chain_balance_raw, b.on_chain_balance_human::text, b.observed_height, a.decimals,
       coalesce(CASE WHEN NOT a.is_native THEN a.contract_address END, ''), coalesce(w.address, ''), b.last_error
  FROM wallet_balances b
  JOIN asset_on_chain a ON a.id = b.asset_on_chain_id
  JOIN wallets w ON w.id = b.wallet_id
  JOIN chains c ON c.id = b.chain_id
 WHERE c.name = $1`

// verify compares every row of a chain with the chain itself, at the height that the row says it stands at.
func (s *stack) verify(ctx context.Context, c *devChain, each func(stored, string)) error {
	rows, err := s.pool.Query(ctx, storedRows, c.name)
	if err != nil {
		return fmt.Errorf("read the rows of %s: %w", c.name, err)
	}
	var row stored
	_, err = pgx.ForEachRow(rows, []any{&row.id, &row.raw, &row.human, &row.height, &row.decimals, &row.contract, &row.address, &row.lastError}, func() error {
		verdict, err := s.judge(c, row)
		if err != nil {
			return err
		}
		each(row, verdict)
		return nil
	})
	if err != nil {
		return fmt.Errorf("verify %s: %w", c.name, err)
	}
	return nil
}

// judge compares one row. A planted row has no right value.
func (s *stack) judge(c *devChain, row stored) (string, error) {
	_, planted := s.planted[row.id]
	switch {
	case row.raw == nil && row.human == nil && row.height == nil:
		return none, nil
	case planted, row.raw == nil, row.human == nil, row.height == nil, row.decimals == nil:
		return wrong, nil
	case c.node == nil:
		return unverified, nil
	}
	// Newer than its height is right on a chain without state at a height, and never older.
	for height := *row.height; height <= min(*row.height+c.newer, max(c.node.Head(), *row.height)); height++ {
		truth, err := c.node.Balance(height, row.contract, row.address)
		if err != nil {
			return "", err
		}
		if *row.raw == truth.String() && exact(*row.human, *row.decimals, truth) {
			return right, nil
		}
	}
	return wrong, nil
}

// exact reports whether human is raw moved by decimals, digit by digit: in rational arithmetic, not by our own formatter.
func exact(human string, decimals int, raw *big.Int) bool {
	value, ok := new(big.Rat).SetString(human)
	if !ok {
		return false
	}
	scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(decimals)), nil)
	value.Mul(value, new(big.Rat).SetInt(scale))
	return value.IsInt() && value.Num().Cmp(raw) == 0
}
