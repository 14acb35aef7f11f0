// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {walletAt} from "./Ledger.sol";

/// OpenZeppelin's ERC-20, whose balances change on demand. Its constructor never runs: the genesis
/// block fills the balances, their total and the decimals.
contract Token is ERC20 {
    uint8 private _decimals;

    constructor() ERC20("", "") {}

    function decimals() public view override returns (uint8) {
        return _decimals;
    }

    /// Gives each wallet of [from, to) another balance than it has. One in sixteen falls to zero,
    /// the rest move by at most one whole token, and no balance wraps around.
    function churn(uint256 from, uint256 to, uint256 seed) external {
        uint256 unit = 10 ** _decimals;
        for (uint256 i = from; i < to; i++) {
            address wallet = walletAt(i);
            move(wallet, balanceOf(wallet), uint256(keccak256(abi.encode(i, seed))), unit);
        }
    }

    function move(address wallet, uint256 held, uint256 dice, uint256 unit) private {
        uint256 step = 1 + (dice >> 8) % unit;
        if (held != 0 && dice & 15 == 0) {
            _burn(wallet, held);
        } else if ((dice & 16 == 0 || held < step) && totalSupply() <= type(uint256).max - step) {
            _mint(wallet, step);
        } else {
            _burn(wallet, step < held ? step : held);
        }
    }
}
