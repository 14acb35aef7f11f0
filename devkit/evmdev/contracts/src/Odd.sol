// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ledger} from "./Ledger.sol";

// Contracts with a true balance that takes care to read.

/// A true balance that costs 260,000 gas, whatever gas the caller gives.
contract Heavy is Ledger {
    function balanceOf(address wallet) external view returns (uint256) {
        assembly {
            for { let i := 0 } lt(i, 2645) { i := add(i, 1) } { mstore(0, keccak256(0, 32)) }
        }
        return balances[wallet];
    }
}

/// A true balance followed by a second word. By the ABI's rule the first word is the answer.
contract Returns64Bytes is Ledger {
    function balanceOf(address wallet) external view returns (uint256, uint256) {
        return (balances[wallet], 9);
    }
}

/// A true balance followed by 68 bytes of ones: no whole number of words.
contract Returns100Bytes is Ledger {
    function balanceOf(address wallet) external view returns (uint256) {
        uint256 first = balances[wallet];
        assembly {
            let at := mload(0x40)
            mstore(at, first)
            mstore(add(at, 32), not(0))
            mstore(add(at, 64), not(0))
            mstore(add(at, 96), not(0))
            return(at, 100)
        }
    }
}

/// An ordinary ledger, in which the genesis block gives every wallet 2^256-1.
contract ReturnsMax is Ledger {
    function balanceOf(address wallet) external view returns (uint256) {
        return balances[wallet];
    }
}

/// A true balance as the first word of 2^20 bytes; the memory alone costs 2.2 million gas.
contract ReturnsMegabyte is Ledger {
    function balanceOf(address wallet) external view returns (uint256) {
        uint256 first = balances[wallet];
        assembly {
            mstore(0, first)
            return(0, 0x100000)
        }
    }
}

/// A true balance as the first word of as much memory as half of the gas at hand buys: 8 kB out of
/// 100,000 gas, megabytes out of a node's whole allowance.
contract ReturnBomb is Ledger {
    function balanceOf(address wallet) external view returns (uint256) {
        uint256 first = balances[wallet];
        assembly {
            let half := div(gas(), 2)
            let words := 1
            for {} 1 {} {
                let more := add(words, add(div(words, 8), 1))
                // Yellow paper, memory cost.
                if gt(add(mul(3, more), div(mul(more, more), 512)), half) { break }
                words := more
            }
            mstore(0, first)
            return(0, mul(words, 32))
        }
    }
}
