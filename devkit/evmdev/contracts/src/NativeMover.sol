// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {walletAt} from "./Ledger.sol";

/// Moves the chain's own coin.
contract NativeMover {
    /// Wallets whose number this divides never receive coins, so that a true zero exists at every
    /// height. The genesis block fills it.
    uint256 public emptyEvery;

    /// Sends 1 to 1,000 wei to each wallet of [from, to), out of what was sent along.
    function churn(uint256 from, uint256 to, uint256 seed) external payable {
        unchecked {
            for (uint256 i = from; i < to; i++) {
                if (i % emptyEvery == 0) continue;
                uint256 amount = 1 + uint256(keccak256(abi.encode(i, seed))) % 1000;
                (bool ok,) = walletAt(i).call{value: amount}("");
                require(ok);
            }
        }
    }
}
