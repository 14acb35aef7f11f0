package scanner_test

import (
	"encoding/hex"
	"fmt"
	"log"

	"github.com/balance-sync/balance-sync/shared/scanner"
)

// A scan of two native balances and one token's, from the question to the balances. The call itself is the fetcher's: here
// eth_call with {to: S, data: input}, the block, and the override {S: {code: program}} for S = [scanner.OverrideAddress].
func Example() {
	alice, bob, usdt := scanner.Address{0: 0xa1}, scanner.Address{0: 0xb0}, scanner.Address{0: 0xda}
	tokens, err := scanner.Token(usdt, []scanner.Address{alice})
	if err != nil {
		log.Fatal(err)
	}
	groups := []scanner.Group{scanner.Native([]scanner.Address{alice, bob}), tokens}
	const callGas = 300_000
	input, err := scanner.AppendInput(nil, callGas, scanner.Floor(callGas), groups)
	if err != nil {
		log.Fatal(err)
	}
	program := scanner.Program(scanner.Calldata)
	fmt.Printf("program of %d bytes, input of %d\n", len(program), len(input))

	reply, err := hex.DecodeString("01000000" + "0000000000000038" + "00000000042c1d80" + "00000000684ee180" + "00000003" +
		"00000000000000000000000000000000000000000000000000000000000000ff" +
		"0800000000000f4240" + "00" + "80")
	if err != nil {
		log.Fatal(err)
	}
	answer, err := scanner.Decode(reply, scanner.Rows(groups))
	if err != nil {
		log.Fatal(err) // the endpoint did not run the scanner: no row may be used
	}
	fmt.Printf("chain %d, height %d, %d rows\n", answer.ChainID, answer.Height, answer.Processed)
	for entry, more := answer.Next(); more; entry, more = answer.Next() {
		if balance, ok := entry.AppendDecimal(nil); ok {
			fmt.Println("balance", string(balance))
		} else {
			fmt.Println("no balance:", entry.Status)
		}
	}
	// Output:
	// program of 298 bytes, input of 112
	// chain 56, height 70000000, 3 rows
	// balance 1000000
	// balance 0
	// no balance: reverted
}
