package tron

import (
	"fmt"
	"slices"
	"strings"

	"github.com/balance-sync/balance-sync/shared/fetch"
	"github.com/balance-sync/balance-sync/shared/wire"
	"github.com/google/uuid"
)

// work is what kind of balances is read.
type work string

// The kinds, as a flag and the table name them.
const (
	trc20 work = "trc20" // the two good tokens
	trx   work = "trx"
	mixed work = "mixed" // TRX and both tokens
)

var works = []work{trc20, trx, mixed}

// worksOf reads a flag.
func worksOf(names []string) ([]work, error) {
	var list []work
	for _, name := range names {
		if !slices.Contains(works, work(name)) {
			return nil, fmt.Errorf("--work %s: must be of %s", name, strings.Trim(fmt.Sprint(works), "[]"))
		}
		list = append(list, work(name))
	}
	return list, nil
}

// rows lists n balances wallet by wallet, as claims have them.
func (w work) rows(s served, n int) []fetch.Row {
	var assets []wire.Asset
	if w != trc20 {
		assets = append(assets, wire.Asset{ID: uuid.New(), Decimals: 6, Native: true})
	}
	if w != trx {
		for _, t := range s.Tokens {
			assets = append(assets, wire.Asset{ID: uuid.New(), Contract: t.Address, Decimals: t.Decimals})
		}
	}
	rows := make([]fetch.Row, 0, n)
	for _, address := range s.Wallets {
		wallet := uuid.New()
		for _, asset := range assets {
			if len(rows) == n {
				return rows
			}
			rows = append(rows, fetch.Row{ID: uuid.New(), Wallet: wallet, Address: address, Asset: asset})
		}
	}
	return rows
}
