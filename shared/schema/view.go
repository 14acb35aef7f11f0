package schema

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// View is one of the three relations that say where the neighbours' tables are: an adopter's whole contract.
type View struct {
	Name    string
	Columns []Column
}

// Views are the three.
func Views() []View {
	uuid, text, boolean := []string{"uuid"}, []string{"text", "character varying"}, []string{"boolean"}
	return []View{
		{"balance_sync_chains", []Column{{Name: "chain_id", Types: uuid}, {Name: "name", Types: text}, {Name: "active", Types: boolean}}},
		{"balance_sync_assets", []Column{{Name: "asset_on_chain_id", Types: uuid}, {Name: "chain_id", Types: uuid},
			{Name: "contract_address", Types: text}, {Name: "decimals", Types: []string{"integer", "smallint"}}, {Name: "is_native", Types: boolean}}},
		{"balance_sync_addresses", []Column{{Name: "wallet_id", Types: uuid}, {Name: "chain_id", Types: uuid}, {Name: "address", Types: text},
			{Name: "active", Types: boolean}}},
	}
}

// String is the view as a declaration: balance_sync_chains (chain_id uuid, name text, active boolean).
func (v View) String() string {
	columns := make([]string, len(v.Columns))
	for i, c := range v.Columns {
		columns[i] = c.Name + " " + c.Types[0]
	}
	return v.Name + " (" + strings.Join(columns, ", ") + ")"
}

// suits refuses a relation that is here but cannot serve, before anything is built on it. A column that Up adds must not be there: whose it
// is, and what it means, nobody knows.
func (r *run) suits(ctx context.Context, tx pgx.Tx, relation string) error {
	need := slices.DeleteFunc(Columns(), func(c Column) bool { return c.Added })
	for _, v := range Views() {
		if v.Name == relation {
			need = v.Columns
		}
	}
	have, err := r.shape(ctx, tx, relation)
	if err != nil {
		return err
	}
	if kind := have.kind; relation == table && kind != "r" {
		return fmt.Errorf("%s is not an ordinary table (relkind %s)", relation, kind)
	}
	var wrong []string
	for _, c := range need {
		if text := have.wrong(c); text != "" {
			wrong = append(wrong, text)
		}
	}
	for _, c := range Columns() {
		if has, ok := have.types[c.Name]; ok && c.Added && relation == table {
			wrong = append(wrong, fmt.Sprintf("column %s %s is there already, and balance-sync adds one of that name: rename yours", c.Name, has))
		}
	}
	if wrong != nil {
		return fmt.Errorf("%s does not suit: %s", relation, strings.Join(wrong, "; "))
	}
	return nil
}

// shape is what the catalog says of a relation: its kind and its columns' types.
type shape struct {
	kind     string
	types    map[string]string // without modifiers
	modified map[string]string // with them, of the columns that have one: numeric(38,18)
}

// wrong is a sentence's part about a column that is missing or of a type that we cannot use; empty if neither.
func (s shape) wrong(c Column) string {
	has, ok := s.types[c.Name]
	switch {
	case !ok:
		return fmt.Sprintf("no column %s %s", c.Name, c.Types[0])
	case !slices.Contains(c.Types, has):
		return fmt.Sprintf("column %s is %s, not %s", c.Name, has, strings.Join(c.Types, " or "))
	case s.width(c.Name) < c.Width:
		return fmt.Sprintf("column %s is %s and must hold %d characters: make it text", c.Name, s.modified[c.Name], c.Width)
	}
	return ""
}

// width is how many characters fit into a column of text; one that is not limited holds any number.
func (s shape) width(column string) int {
	var n int
	if _, err := fmt.Sscanf(s.modified[column], "character varying(%d)", &n); err != nil {
		return math.MaxInt
	}
	return n
}

// shape reads a relation of our schema; kind is empty where there is none.
func (r *run) shape(ctx context.Context, tx pgx.Tx, relation string) (shape, error) {
	s := shape{types: make(map[string]string), modified: make(map[string]string)}
	rows, err := tx.Query(ctx, text("shape.sql"), r.home, relation)
	if err != nil {
		return s, fmt.Errorf("read the columns of %s: %w", relation, err)
	}
	var name, plain, full string
	_, err = pgx.ForEachRow(rows, []any{&s.kind, &name, &plain, &full}, func() error {
		if s.types[name] = plain; full != plain {
			s.modified[name] = full
		}
		return nil
	})
	if err != nil {
		return s, fmt.Errorf("read the columns of %s: %w", relation, err)
	}
	return s, nil
}
