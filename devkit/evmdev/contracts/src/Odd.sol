// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ledger} from "./Ledger.sol";

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
