package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/balance-sync/balance-sync/devkit/natsdev"
	"github.com/balance-sync/balance-sync/devkit/pgdev"
	"github.com/balance-sync/balance-sync/shared/schema"
	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
)

// repository is where the paths of the documents begin.
const repository = "../.."

// block is a fenced piece of a document: what kind of text, and the text without its indentation.
type block struct{ kind, text string }

func blocks(t *testing.T, document string) (list []block) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(repository, document))
	if err != nil {
		t.Fatal(err)
	}
	for _, found := range regexp.MustCompile("(?ms)^( *)```(\\w*)\n(.*?)^ *```$").FindAllStringSubmatch(string(text), -1) {
		list = append(list, block{found[2], strings.ReplaceAll("\n"+found[3], "\n"+found[1], "\n")[1:]})
	}
	return list
}

// reader is somebody who follows docs/adopting.md step by step.
type reader struct {
	t       *testing.T
	example string // a directory of deploy/adopt
	conn    *pgx.Conn
	env     map[string]string
	steps   int
}

func (r *reader) file(path string) string {
	r.t.Helper()
	text, err := os.ReadFile(filepath.Join(repository, path))
	if err != nil {
		r.t.Fatal(err)
	}
	return string(text)
}

// command runs a line of a shell block: the operator's tool, and as much of psql as the document uses.
func (r *reader) command(line string) {
	r.t.Helper()
	r.steps++
	words := strings.Fields(strings.ReplaceAll(line, "$EXAMPLE", r.example))
	switch {
	case words[0] == "export":
	case words[0] == "balsync":
		if got := drive(r.t, r.env, words[1:]...); got.code != 0 {
			r.t.Errorf("%s: exit %d: %s", line, got.code, got.stderr)
		}
	case words[0] == "psql" && words[1] == `"$DATABASE_URL"` && words[len(words)-2] == "-f":
		path := words[len(words)-1]
		if strings.HasSuffix(path, "/cleanup.sql") && filepath.Dir(path) != r.example {
			return // the other example's
		}
		sql := []string{r.file(path)}
		if words[2] != "--single-transaction" {
			sql = strings.SplitAfter(sql[0], ";") // psql sends them one by one
		}
		for _, statement := range sql {
			if strings.TrimSpace(statement) == "" {
				continue
			}
			if _, err := r.conn.Exec(r.t.Context(), statement); err != nil {
				r.t.Errorf("%s: %v", line, err)
			}
		}
	default:
		r.t.Errorf("the test cannot run %q", line)
	}
}

// update runs a statement of the document on a row, which it must change.
func (r *reader) update(sql string) {
	r.t.Helper()
	r.steps++
	tag, err := r.conn.Exec(r.t.Context(), strings.ReplaceAll(sql, ":'row'", "(SELECT id FROM wallet_balances ORDER BY id LIMIT 1)"))
	if err != nil || tag.RowsAffected() != 1 {
		r.t.Errorf("%s: %d rows, %v", sql, tag.RowsAffected(), err)
	}
}

// shape is everything that a migration could have changed about the schema, a line each.
func (r *reader) shape() []string {
	r.t.Helper()
	rows, err := r.conn.Query(r.t.Context(), `
		SELECT 'column ' || attrelid::regclass || ' ' || attname || ' ' || format_type(atttypid, atttypmod) || ' ' || attnotnull FROM pg_attribute
		 WHERE attrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v')) AND attnum > 0 AND NOT attisdropped
		UNION ALL SELECT 'relation ' || relkind::text || ' ' || relname || ' ' || coalesce(reloptions::text, '') FROM pg_class WHERE relnamespace = 'public'::regnamespace
		UNION ALL SELECT 'function ' || proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
		UNION ALL SELECT 'trigger ' || tgname FROM pg_trigger WHERE NOT tgisinternal
		ORDER BY 1`)
	if err != nil {
		r.t.Fatal(err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		r.t.Fatal(err)
	}
	return list
}

// row puts a wallet with a balance into an example's tables.
var row = map[string]string{
	"deploy/adopt/wallets": `INSERT INTO chains (name) VALUES ('BSC'); INSERT INTO asset_on_chain (chain_id, decimals, is_native) SELECT id, 18, true FROM chains;
		INSERT INTO wallets (address) VALUES ('0x01'); INSERT INTO wallet_balances (wallet_id, asset_on_chain_id) SELECT w.id, a.id FROM wallets w, asset_on_chain a`,
	"deploy/adopt/address-tables": `INSERT INTO chains (slug, enabled) VALUES ('BSC', true); INSERT INTO asset_on_chain (chain_id, token_decimals) SELECT id, 18 FROM chains;
		INSERT INTO operation_wallet_addresses (wallet_id, address) VALUES (gen_random_uuid(), '0x01');
		INSERT INTO wallet_balances (wallet_id, asset_on_chain_id) SELECT w.wallet_id, a.id FROM operation_wallet_addresses w, asset_on_chain a`,
}

func TestAdoptingWorksAsTheDocumentSays(t *testing.T) {
	for example, fill := range row {
		t.Run(filepath.Base(example), func(t *testing.T) {
			url := pgdev.Database(t, "", nil)
			conn, err := pgx.Connect(t.Context(), url)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = conn.Close(context.Background()) }) // the server is stopped soon after
			r := &reader{t: t, example: example, conn: conn, env: map[string]string{"DATABASE_URL": url, "NATS_URL": natsdev.Run(t).URL(), "BSC_RPC_URL": "https://node.example"}}
			if _, err := conn.Exec(t.Context(), r.file(example+"/schema.sql")+fill); err != nil {
				t.Fatal(err)
			}
			before := r.shape()
			for _, b := range blocks(t, "docs/adopting.md") {
				switch b.kind {
				case "sh":
					for line := range strings.SplitSeq(strings.TrimSpace(b.text), "\n") {
						if strings.HasSuffix(line, "undo.sql") {
							r.adopted()
						}
						r.command(line)
					}
				case "sql":
					r.update(b.text)
				case "yaml":
					path := filepath.Join(t.TempDir(), "chains.yaml")
					if err := os.WriteFile(path, []byte(b.text), 0o600); err != nil {
						t.Fatal(err)
					}
					r.env["BALSYNC_CHAINS"] = path
				}
			}
			if r.steps < 12 {
				t.Errorf("only %d steps were found", r.steps)
			}
			want := before
			if example == "deploy/adopt/wallets" {
				want = nil // without the queue, which cleanup.sql has dropped
				for _, line := range before {
					if !strings.Contains(line, "wallet_balances_queue") {
						want = append(want, line)
					}
				}
			}
			if diff := cmp.Diff(want, r.shape()); diff != "" {
				t.Errorf("undone, the schema is not what it was (-before +after):\n%s", diff)
			}
			var values int
			if err := conn.QueryRow(t.Context(), "SELECT count(*) FROM wallet_balances WHERE processing_status = 'idle'").Scan(&values); err != nil || values != 1 {
				t.Errorf("%d rows, %v", values, err)
			}
		})
	}
}

// adopted fails unless the database is all that the services ask for, without a remark.
func (r *reader) adopted() {
	r.t.Helper()
	found, err := schema.Check(r.t.Context(), r.conn)
	if err != nil || len(found) > 0 {
		r.t.Errorf("adopted: %v, %v", found, err)
	}
	if err := schema.Ready(r.t.Context(), r.conn); err != nil {
		r.t.Error(err)
	}
}

func TestTheDocumentNamesEveryColumnThatNoIndexMayName(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(repository, "docs/adopting.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, after, found := strings.Cut(string(text), "**Never index")
	if !found {
		t.Fatal("the document does not say what never to index")
	}
	for _, c := range schema.Columns() {
		if named := strings.Contains(after, "`"+c.Name+"`"); named != c.Moves {
			t.Errorf("%s: named %t, it moves: %t", c.Name, named, c.Moves)
		}
	}
}

// Every command of migrate through PgBouncer in transaction mode, where each transaction may have another session.
func TestMigrateWorksBehindATransactionPooler(t *testing.T) {
	for _, flags := range [][]string{nil, {"--online"}} {
		direct := pgdev.Database(t, "", nil)
		env := map[string]string{"DATABASE_URL": pgdev.Pooled(t, direct, 2)}
		for _, args := range [][]string{{"migrate", "status"}, {"migrate", "print"}, append([]string{"migrate", "up"}, flags...), {"migrate", "status"}, {"migrate", "print"}} {
			got := drive(t, env, args...)
			if got.code != 0 {
				t.Errorf("%v: exit %d: %s", args, got.code, got.stderr)
			}
			if applied := strings.Count(got.stdout, "applied"); args[1] == "up" && applied < schema.Version {
				t.Errorf("%v: %d steps of %d", args, applied, schema.Version)
			}
		}
		if again := drive(t, env, append([]string{"migrate", "up", "-o", "json"}, flags...)...); strings.TrimSpace(again.stdout) != "[]" {
			t.Errorf("the second time: %s", fmt.Sprint(again))
		}
	}
}
