// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC1967Proxy} from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol";

/// OpenZeppelin's proxy, which delegates every call to the implementation in the EIP-1967 slot. Its
/// constructor never runs: the genesis block fills the slot. The balances are in the proxy's own storage.
contract Proxy is ERC1967Proxy {
    constructor() ERC1967Proxy(address(0), "") {}
}
