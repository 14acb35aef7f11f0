// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// The address of a numbered wallet. Nobody holds a key for it; Go derives the same address.
function walletAt(uint256 number) pure returns (address) {
    return address(uint160(uint256(keccak256(abi.encode(number)))));
}

/// What every contract with true balances stores, in this order. The genesis block fills the two
/// slots and the oracle reads the first one, so the layout is part of the artefacts.
abstract contract Ledger {
    mapping(address => uint256) internal balances;
    uint8 public decimals;
}
