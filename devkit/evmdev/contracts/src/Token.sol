// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ledger, walletAt} from "./Ledger.sol";

/// An ERC-20 as far as a balance reader is concerned, whose balances change on demand.
contract Token is Ledger {
    function balanceOf(address wallet) external view returns (uint256) {
        return balances[wallet];
    }

    /// Gives each wallet of [from, to) another balance than it has. One in sixteen falls to zero,
    /// the rest move by at most one whole token, and no balance wraps around.
    function churn(uint256 from, uint256 to, uint256 seed) external {
        uint256 unit = 10 ** decimals;
        unchecked {
            for (uint256 i = from; i < to; i++) {
                address wallet = walletAt(i);
                balances[wallet] = next(balances[wallet], uint256(keccak256(abi.encode(i, seed))), unit);
            }
        }
    }

    function next(uint256 old, uint256 dice, uint256 unit) private pure returns (uint256) {
        if (old != 0 && dice & 15 == 0) return 0;
        unchecked {
            uint256 step = 1 + (dice >> 8) % unit;
            bool up = dice & 16 == 0 || old < step;
            if (up && old <= type(uint256).max - step) return old + step;
            return old - step;
        }
    }
}
