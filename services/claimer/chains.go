package claimer

import (
	"context"
	"fmt"
	"strings"

	"github.com/balance-sync/balance-sync/shared/chain"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// databaseChain is a row of balance_sync_chains; Name is in lower case, "" for none.
type databaseChain struct {
	ID     uuid.UUID
	Name   string
	Active bool
}

// chains asks the database for its chains.
func (s *Store) chains(ctx context.Context) ([]databaseChain, error) {
	rows, err := s.db.Query(ctx, text("chains.sql"))
	if err != nil {
		return nil, fmt.Errorf("read the chains: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (c databaseChain, err error) {
		return c, row.Scan((*[16]byte)(&c.ID), &c.Name, &c.Active)
	})
	if err != nil {
		return nil, fmt.Errorf("read the chains: %w", err)
	}
	return list, nil
}

// state says whether a chain is claimed, and if not, why.
type state string

const (
	stateClaimed   state = "claimed"
	stateInactive  state = "inactive"  // the database has switched it off
	stateUnknown   state = "unknown"   // the database has no such chain
	stateAmbiguous state = "ambiguous" // two chains there have the name, or another configured chain is the same one
	// stateUnconfigured is a chain of the database that no configured one names.
	stateUnconfigured state = "unconfigured"
)

// match is what the database says of a configured chain. ID is set when the chain is claimed.
type match struct {
	state state
	id    uuid.UUID
}

// matchChains finds each configured chain in the database: by id if one is given, else by name in lower case. The second result are the
// chains of the database that are left over.
func matchChains(configured []chain.Config, known []databaseChain) (map[string]match, []databaseChain) {
	matches, taken := map[string]match{}, map[uuid.UUID]bool{}
	for _, c := range configured {
		var found []databaseChain
		id, name := c.Key()
		for _, k := range known {
			if id != "" && strings.EqualFold(id, k.ID.String()) || id == "" && strings.ToLower(name) == k.Name {
				found = append(found, k)
			}
		}
		switch {
		case len(found) == 0:
			matches[c.Name] = match{state: stateUnknown}
		case len(found) > 1 || taken[found[0].ID]:
			matches[c.Name] = match{state: stateAmbiguous}
		case !found[0].Active:
			matches[c.Name] = match{state: stateInactive}
		default:
			matches[c.Name] = match{state: stateClaimed, id: found[0].ID}
		}
		for _, k := range found {
			taken[k.ID] = true
		}
	}
	var left []databaseChain
	for _, k := range known {
		if !taken[k.ID] {
			left = append(left, k)
		}
	}
	return matches, left
}
