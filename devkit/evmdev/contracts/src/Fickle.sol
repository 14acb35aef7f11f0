// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ledger} from "./Ledger.sol";

// Contracts whose answer depends on how they are asked, not only on what they store.

/// Tells the truth to the sender of a transaction, and 1 to every contract that asks.
contract AnswersByCaller is Ledger {
    function balanceOf(address wallet) external view returns (uint256) {
        return msg.sender == tx.origin ? balances[wallet] : 1;
    }
}

/// Counts its readers, so it cannot answer where nothing may be written (STATICCALL).
contract WritesOnRead is Ledger {
    uint256 public readers;

    function balanceOf(address wallet) external returns (uint256) {
        readers++;
        return balances[wallet];
    }
}
