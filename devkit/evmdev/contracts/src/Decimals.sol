// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

// Contracts with an ordinary balance, whose decimals() is not to be trusted.

abstract contract Balances {
    mapping(address => uint256) internal balances;

    function balanceOf(address wallet) external view returns (uint256) {
        return balances[wallet];
    }
}

/// Says 8, whatever those who list the token believe.
contract DecimalsDiffer is Balances {
    function decimals() external pure returns (uint8) {
        return 8;
    }
}

contract DecimalsRevert is Balances {
    function decimals() external pure returns (uint8) {
        revert("no decimals here");
    }
}

/// Has no decimals() at all, and takes every call that it does not know.
contract DecimalsEmpty is Balances {
    fallback() external {}
}

/// One more than a uint8 holds.
contract Decimals256 is Balances {
    function decimals() external pure returns (uint256) {
        return 256;
    }
}

/// More than anything holds.
contract DecimalsMax is Balances {
    function decimals() external pure returns (uint256) {
        return type(uint256).max;
    }
}

/// Says its decimals in letters.
contract DecimalsText is Balances {
    function decimals() external pure returns (bytes32) {
        return "18";
    }
}
