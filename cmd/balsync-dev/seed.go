package main

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// seed fills the reference tables with the chains, their assets and wallets, and one row for each wallet and asset, wallet by
// wallet, which is the order that the sweep then finds on disk. It gives the planted rows' ids with the error that each must end in.
func seed(ctx context.Context, conn *pgx.Conn, chains []*devChain) (map[uuid.UUID]string, error) {
	expected := map[uuid.UUID]string{}
	tx, err := conn.Begin(ctx)
	if err != nil {
		return nil, fmt.Errorf("begin: %w", err)
	}
	defer func() { _ = tx.Rollback(ctx) }() // after Commit this does nothing
	for _, c := range chains {
		s := seeder{ctx: ctx, tx: tx, expected: expected}
		if err := s.chain(c); err != nil {
			return nil, fmt.Errorf("seed chain %s: %w", c.name, err)
		}
	}
	return expected, tx.Commit(ctx)
}

// seeder collects the rows of one chain.
type seeder struct {
	ctx                      context.Context
	tx                       pgx.Tx
	chainID                  uuid.UUID
	assets, wallets, balance [][]any
	expected                 map[uuid.UUID]string
}

func (s *seeder) chain(c *devChain) error {
	s.chainID = uuid.New()
	if _, err := s.tx.Exec(s.ctx, "INSERT INTO chains (id, name) VALUES ($1::text::uuid, $2)", s.chainID.String(), c.name); err != nil {
		return err
	}
	var good []uuid.UUID
	for _, a := range c.assets {
		good = append(good, s.asset(a))
	}
	for i := range c.addresses {
		wallet := s.wallet(&c.addresses[i])
		for _, asset := range good {
			s.row(wallet, asset)
		}
	}
	for _, p := range c.planted {
		s.expected[s.row(s.wallet(p.address), s.asset(p.asset))] = p.code
	}
	for _, t := range []struct {
		table   string
		columns []string
		rows    [][]any
	}{
		{"asset_on_chain", []string{"id", "chain_id", "symbol", "contract_address", "decimals", "is_native"}, s.assets},
		{"wallets", []string{"id", "address"}, s.wallets},
		{"wallet_balances", []string{"id", "wallet_id", "asset_on_chain_id"}, s.balance},
	} {
		if _, err := s.tx.CopyFrom(s.ctx, pgx.Identifier{t.table}, t.columns, pgx.CopyFromRows(t.rows)); err != nil {
			return fmt.Errorf("fill %s: %w", t.table, err)
		}
	}
	return nil
}

func (s *seeder) asset(a assetSpec) uuid.UUID {
	id := uuid.New()
	s.assets = append(s.assets, []any{[16]byte(id), [16]byte(s.chainID), a.symbol, a.contract, a.decimals, a.native})
	return id
}

func (s *seeder) wallet(address *string) uuid.UUID {
	id := uuid.New()
	s.wallets = append(s.wallets, []any{[16]byte(id), address})
	return id
}

func (s *seeder) row(wallet, asset uuid.UUID) uuid.UUID {
	id := uuid.New()
	s.balance = append(s.balance, []any{[16]byte(id), [16]byte(wallet), [16]byte(asset)})
	return id
}
