package trondev

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/holiman/uint256"
	"github.com/mr-tron/base58"
)

// prefix is the first of an address's 21 bytes on mainnet and everywhere else in use.
const prefix = 0x41

// wire is an address as messages carry it: 21 bytes.
func wire(at common.Address) []byte { return append([]byte{prefix}, at[:]...) }

// account is the account that 21 bytes name. java-tron looks any bytes up as they are, so others name none.
func account(bytes []byte) (common.Address, bool) {
	if len(bytes) != 21 || bytes[0] != prefix {
		return common.Address{}, false
	}
	return common.BytesToAddress(bytes[1:]), true
}

// text is an address as people write it: base58 of the 21 bytes and four bytes of checksum.
func text(at common.Address) string {
	raw := wire(at)
	return base58.Encode(append(raw, checksum(raw)...))
}

func checksum(raw []byte) []byte {
	once := sha256.Sum256(raw)
	twice := sha256.Sum256(once[:])
	return twice[:4]
}

// parse reads the written form.
func parse(address string) (common.Address, error) {
	raw, err := base58.Decode(address)
	if err != nil {
		return common.Address{}, fmt.Errorf("%q is not base58: %w", address, err)
	}
	if len(raw) != 25 || raw[0] != prefix {
		return common.Address{}, fmt.Errorf("%q is not an address: %d bytes", address, len(raw))
	}
	if !bytes.Equal(checksum(raw[:21]), raw[21:]) {
		return common.Address{}, errors.New("the checksum of " + address + " is wrong")
	}
	return common.BytesToAddress(raw[1:21]), nil
}

// walletAddress is an address that nobody holds a key for: the last 20 bytes of a hash.
func walletAddress(i int) common.Address {
	word := uint256.NewInt(uint64(i)).Bytes32()
	return common.BytesToAddress(crypto.Keccak256([]byte("trondev wallet"), word[:]))
}
