package fetchertron

import (
	"encoding/hex"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/crypto"
	tronaddress "github.com/fbsobreira/gotron-sdk/pkg/address"
)

// The node that deploy/tron starts makes blocks only if the key is the witness's, and reads tokens only with constant calls.
func TestThePrivateNetsWitnessHoldsItsKey(t *testing.T) {
	doc, err := os.ReadFile("../../deploy/tron/private-net.conf")
	if err != nil {
		t.Fatal(err)
	}
	one := func(pattern string) string {
		t.Helper()
		found := regexp.MustCompile(pattern).FindStringSubmatch(string(doc))
		if found == nil {
			t.Fatalf("nothing matches %s", pattern)
		}
		return found[1]
	}
	secret, err := hex.DecodeString(one(`localwitness = \[ ([0-9a-f]{64}) \]`))
	if err != nil {
		t.Fatal(err)
	}
	key, err := crypto.ToECDSA(secret)
	if err != nil {
		t.Fatal(err)
	}
	witness := one(`\{ address: (T\w+), url`)
	if holder := tronaddress.PubkeyToAddress(key.PublicKey).String(); holder != witness {
		t.Errorf("the key is of %s, the witness is %s", holder, witness)
	}
	var accounts []string
	for _, found := range regexp.MustCompile(`accountName = "(\w+)",\s+accountType = "AssetIssue", address = "(\w+)"`).FindAllStringSubmatch(string(doc), -1) {
		accounts = append(accounts, found[1])
		if _, err := parseAddress(found[2]); err != nil {
			t.Errorf("account %s: %s is %v", found[1], found[2], err)
		}
	}
	if !slices.Equal(accounts, []string{"Zion", "Sun", "Blackhole"}) {
		t.Errorf("accounts are %v", accounts)
	}
	for _, need := range []string{"supportConstant = true", "needSyncCheck = false", "allowTvmConstantinople = 1", "allowTvmIstanbul = 1"} {
		if !strings.Contains(string(doc), need) {
			t.Errorf("%s is missing", need)
		}
	}
}
