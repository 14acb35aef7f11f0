package schema

import (
	"fmt"
	"strings"
	"testing"
)

func TestEveryFileBelongsToAStep(t *testing.T) {
	known := map[string]bool{"begin.sql": true, "migrations.sql": true, "shape.sql": true, "ready.sql": true, "allowed.sql": true, "indexes.sql": true}
	list := steps()
	if len(list) != Version {
		t.Errorf("%d steps, Version is %d", len(list), Version)
	}
	for i, s := range list {
		known[s.File()] = true
		if s.online != nil && s.index == "" {
			known[strings.Replace(s.File(), ".sql", ".online.sql", 1)] = true
		}
		if s.Version != i+1 || s.Lock == "" || len(s.Checksum) != 64 || (s.OnlineSQL == "") != (s.OnlineLock == "") {
			t.Errorf("step %d is not whole: %+v", i+1, s)
		}
		if s.index != "" && (!strings.Contains(s.OnlineSQL, "CONCURRENTLY "+s.index) || !strings.Contains(s.OnlineSQL, "ON "+table)) {
			t.Errorf("step %d cannot be built concurrently:\n%s", i+1, s.OnlineSQL)
		}
	}
	entries, err := files.ReadDir("sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !known[e.Name()] {
			t.Errorf("nothing runs %s", e.Name())
		}
	}
}

func TestFingerprintIsStable(t *testing.T) {
	if a, b := Fingerprint(), Fingerprint(); a != b || len(a) != 16 {
		t.Errorf("%s, then %s", a, b)
	}
}

func TestColumnsAreThoseOfTheMigratedTable(t *testing.T) {
	conn := migrated(t, "")
	r := &run{conn: conn, home: "public"}
	tx := begin(t, conn)
	have, err := r.shape(t.Context(), tx, table)
	if err != nil {
		t.Fatal(err)
	}
	delete(have.types, "created_at")
	for _, c := range Columns() {
		if have.types[c.Name] != c.Types[0] {
			t.Errorf("%s is %s, listed as %s", c.Name, have.types[c.Name], c.Types[0])
		}
		delete(have.types, c.Name)
	}
	if len(have.types) > 0 {
		t.Errorf("not listed: %v", have.types)
	}
}

func ExampleViews() {
	for _, v := range Views() {
		fmt.Println(v)
	}
	// Output:
	// balance_sync_chains (chain_id uuid, name text, active boolean)
	// balance_sync_assets (asset_on_chain_id uuid, chain_id uuid, contract_address text, decimals integer, is_native boolean)
	// balance_sync_addresses (wallet_id uuid, chain_id uuid, address text, active boolean)
}
