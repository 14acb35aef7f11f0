// Package scanner reads many balances in one call: a program of 300 bytes for the EVM and for TRON's virtual machine, the
// encoder of its input and the decoder of its answer. It knows no node and no protocol: a fetcher carries the bytes.
//
// # Why a program
//
// One request reads about a thousand balances, all of one block, at 41 bytes up and 16 down each. The answer says which
// chain and block it ran on, so no value is without proof. No contract need be deployed, and no token can spoil another's
// row: its gas is capped, what it returns is never copied beyond 32 bytes, and it cannot write.
//
// # Input
//
// All numbers are big-endian.
//
//	0   4  callGas: what each token call is given
//	4   4  floorGas: with less than this left, the program begins no other row
//	8      groups, one after the other up to the end of the input:
//	       0   2  count of holders
//	       2  20  token; zero for the native coin, which is why only [Native] can make such a group
//	       22     count × 20 bytes: the holders
//
// # Answer
//
//	0   1  version, 1
//	1   3  zero
//	4   8  chain id
//	12  8  height
//	20  8  time of the block in seconds
//	28  4  processed: how many rows follow, the first so many of those asked
//	32 32  hash of the block before; zero in the Arbitrum forms
//	64     a row for each:
//	       a length of 0, 8, 12 or 32 and the balance in so many bytes, in the shortest form that holds it; or
//	       a status of one byte, 0x80 and above, and no balance
//
// The bits of a status are independent: 0x01 the call succeeded (but returned fewer than 32 bytes), 0x02 there is no code
// at the token, 0x04 all of callGas is gone. A token that returns more than 32 bytes is believed in the first 32, as the
// ABI rules. A chain id, height or time that does not fit its 64 bits makes the whole first word zero, so that no chain
// passes for another by the low bits of its id.
//
// # Why a row never fails because the batch was short of gas
//
// A call is given callGas only if that is at most 63/64 of the gas at hand (EIP-150; otherwise it gets those 63/64, without
// an error). With g gas left that holds when g ≥ callGas × 64/63, which is callGas + callGas/63. So the program looks at its
// gas before each row and begins the row only from [Floor] on, callGas + callGas/63 + 20,000. The 20,000 pay for what the
// row needs besides (2,600 for a cold account, about 400 of bookkeeping, memory), and, after a token has burnt all it was
// given, for the header and the end. Below the floor the program ends: it answers the rows that it has, a prefix, and the
// caller sends the rest again. Measured with a token that reverts on one unit less than it needs, over 400 budgets: a floor
// of callGas fails 28 good rows of 1,100, this one none. An answer of no rows at all means that the gas of the whole call is
// below the floor: raise it, or lower callGas.
//
// The forms [Constructor] and [ConstructorArbitrum] pay for their answer once more at the end, as for deployed code; see
// [FloorDeposit]. A call too small to reach even the first look at the gas fails whole, in every form. Neither fails a row.
//
// # Where it runs
//
// The opcodes are those of Istanbul (2019). Both base forms ran on geth, anvil and java-tron's own virtual machine; the
// replies of the last are in testdata. On Arbitrum NUMBER is another chain's height, so two forms ask ArbSys; these ran
// against a stand-in only. A balance is what balanceOf tells a caller that is a contract; a token that tells others
// something else is believed.
package scanner
