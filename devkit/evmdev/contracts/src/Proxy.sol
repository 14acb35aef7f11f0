// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// Delegates every call to the implementation in the EIP-1967 slot, which the genesis block fills.
/// The balances are in this contract's own storage.
contract Proxy {
    fallback() external payable {
        assembly {
            // bytes32(uint256(keccak256("eip1967.proxy.implementation")) - 1)
            let implementation := sload(0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc)
            calldatacopy(0, 0, calldatasize())
            let ok := delegatecall(gas(), implementation, 0, calldatasize(), 0, 0)
            returndatacopy(0, 0, returndatasize())
            if ok { return(0, returndatasize()) }
            revert(0, returndatasize())
        }
    }
}
