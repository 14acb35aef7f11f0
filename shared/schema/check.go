package schema

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Finding is something about the schema that an operator should know.
type Finding struct {
	Object string // what it is about: "wallet_balances.due_at", "index wallet_balances_recent"
	Text   string // a sentence: what is wrong, what it costs, what to do
	Blocks bool   // the services are not ready while it holds
}

// Check looks at everything that claims and applies rely on. No findings: all is well. It changes nothing, reads catalogs and
// balance_sync_migrations, and never a row of the table.
func Check(ctx context.Context, conn *pgx.Conn) ([]Finding, error) {
	var found []Finding
	r := &run{conn: conn}
	err := r.look(ctx, func(tx pgx.Tx) error {
		found = nil
		for _, look := range []func(context.Context, pgx.Tx) ([]Finding, error){r.checkSteps, r.checkColumns, r.checkViews, r.checkIndexes, r.checkTriggers} {
			more, err := look(ctx, tx)
			if err != nil {
				return err
			}
			found = append(found, more...)
		}
		return nil
	})
	return found, err
}

// checkSteps finds what Up would do or refuse.
func (r *run) checkSteps(ctx context.Context, tx pgx.Tx) ([]Finding, error) {
	marks, err := r.marks(ctx, tx)
	if err != nil {
		return nil, err
	}
	list := steps()
	err = compare(list, marks)
	if err == nil {
		err = unchanged(list)
	}
	if err != nil {
		return []Finding{{Object: "balance_sync_migrations", Text: err.Error()}}, nil
	}
	if len(marks) < Version {
		text := fmt.Sprintf("%d of %d steps are applied: %s", len(marks), Version, remedy)
		return []Finding{{Object: "balance_sync_migrations", Text: text}}, nil
	}
	return nil, nil
}

// checkColumns finds columns of the table that are missing or of another type.
func (r *run) checkColumns(ctx context.Context, tx pgx.Tx) ([]Finding, error) {
	have, err := r.shape(ctx, tx, table)
	if err != nil {
		return nil, err
	}
	if have.kind == "" {
		return []Finding{{Object: table, Text: table + " does not exist here: " + remedy, Blocks: true}}, nil
	}
	var found []Finding
	for _, c := range Columns() {
		wrong := have.wrong(c)
		if wrong == "" {
			continue
		}
		if c.Added {
			wrong += ": " + remedy
		}
		found = append(found, Finding{Object: table + "." + c.Name, Text: table + ": " + wrong, Blocks: true})
	}
	if scale, ok := have.modified["on_chain_balance_human"]; ok {
		text := "on_chain_balance_human is " + scale + " and rounds or refuses balances: make it numeric"
		found = append(found, Finding{Object: table + ".on_chain_balance_human", Text: text})
	}
	return found, nil
}

// checkViews finds views that are missing or lack a column.
func (r *run) checkViews(ctx context.Context, tx pgx.Tx) ([]Finding, error) {
	var found []Finding
	for _, v := range Views() {
		have, err := r.shape(ctx, tx, v.Name)
		if err != nil {
			return nil, err
		}
		if have.kind == "" {
			text := fmt.Sprintf("the view %s does not exist: %s", v, remedy)
			found = append(found, Finding{Object: v.Name, Text: text, Blocks: true})
			continue
		}
		for _, c := range v.Columns {
			if wrong := have.wrong(c); wrong != "" {
				text := fmt.Sprintf("%s: %s; it must be %s", v.Name, wrong, v)
				found = append(found, Finding{Object: v.Name + "." + c.Name, Text: text, Blocks: true})
			}
		}
	}
	return found, nil
}

// index is one index of the table.
type index struct {
	name        string
	valid       bool
	unique      bool     // no two rows, whatever is in them, have the same keys
	keys, named []string // columns: those of the key, and all that it names anywhere
}

// checkIndexes finds that ours are missing, that others make every update touch them, and that nothing keeps a balance single.
func (r *run) checkIndexes(ctx context.Context, tx pgx.Tx) ([]Finding, error) {
	rows, err := tx.Query(ctx, text("indexes.sql"), r.home)
	if err != nil {
		return nil, fmt.Errorf("read the indexes: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (x index, err error) {
		return x, row.Scan(&x.name, &x.valid, &x.unique, &x.keys, &x.named)
	})
	if err != nil {
		return nil, fmt.Errorf("read the indexes: %w", err)
	}
	var found []Finding
	for _, name := range []string{sweepIndex, fastIndex} {
		if !slices.ContainsFunc(list, func(x index) bool { return x.name == name && x.valid }) {
			found = append(found, Finding{Object: "index " + name, Text: "the index " + name + " is missing or not valid: " + remedy, Blocks: true})
		}
	}
	for _, x := range list {
		if hot := x.moves(); hot != nil {
			text := fmt.Sprintf("the index %s names %s, which every claim or apply changes: each update writes all indexes, about three times the cost",
				x.name, strings.Join(hot, ", "))
			found = append(found, Finding{Object: "index " + x.name, Text: text})
		}
	}
	single := func(x index) bool {
		return x.unique && !slices.ContainsFunc(x.keys, func(k string) bool { return k != "wallet_id" && k != "asset_on_chain_id" })
	}
	if len(list) > 0 && !slices.ContainsFunc(list, single) {
		text := "no unique index on (wallet_id, asset_on_chain_id): a balance may be in two rows, which are read and paid for apart"
		found = append(found, Finding{Object: table, Text: text})
	}
	return found, nil
}

// moves are the columns that the index must not name. The fast lane may: a row enters and leaves it, and is not touched in between.
func (x index) moves() []string {
	if x.name == fastIndex {
		return nil
	}
	var list []string
	for _, c := range Columns() {
		if c.Moves && slices.Contains(x.named, c.Name) {
			list = append(list, c.Name)
		}
	}
	return list
}

// checkTriggers finds triggers that are missing or switched off.
func (r *run) checkTriggers(ctx context.Context, tx pgx.Tx) ([]Finding, error) {
	rows, err := tx.Query(ctx, `SELECT t.tgname::text FROM pg_trigger t WHERE t.tgrelid = to_regclass(format('%I.wallet_balances', $1::text)) AND t.tgenabled IN ('O', 'A')`, r.home)
	if err != nil {
		return nil, fmt.Errorf("read the triggers: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("read the triggers: %w", err)
	}
	var found []Finding
	for name, cost := range map[string]string{
		"balance_sync_insert": "new rows wait for the sweep of rows without a chain",
		"balance_sync_target": "a row that changes its wallet or asset keeps the balance of the old one",
	} {
		if !slices.Contains(list, name) {
			found = append(found, Finding{Object: "trigger " + name, Text: "the trigger " + name + " is missing or disabled: " + cost})
		}
	}
	slices.SortFunc(found, func(a, b Finding) int { return strings.Compare(a.Object, b.Object) })
	return found, nil
}
