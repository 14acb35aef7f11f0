// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

// Contracts that have no balance to report. Every function of theirs misbehaves in the same way.

contract Reverts {
    fallback() external {
        revert("no balance here");
    }
}

/// Reverts with 200 kB, which 300,000 gas pays for.
contract Reverts200Kilobytes {
    fallback() external {
        assembly {
            revert(0, 200000)
        }
    }
}

contract ReturnsNothing {
    fallback() external {}
}

contract Returns31Bytes {
    fallback() external {
        assembly {
            mstore(0, not(0))
            return(0, 31)
        }
    }
}

contract GasLoop {
    fallback() external {
        assembly {
            for {} 1 {} {}
        }
    }
}

/// Reverts with the most memory, up to 2 MB, that the gas at hand pays for.
contract RevertBomb {
    fallback() external {
        assembly {
            let size := 32
            for {} lt(size, 1500000) {} {
                let words := div(mul(size, 2), 32)
                // Yellow paper, memory cost, with the quadratic part rounded up for the loop's own gas.
                if lt(gas(), add(mul(4, words), div(mul(words, words), 256))) { break }
                size := mul(size, 2)
            }
            revert(0, size)
        }
    }
}

contract InvalidOpcode {
    fallback() external {
        assembly {
            invalid()
        }
    }
}

/// A proxy whose implementation is itself: it calls itself until the gas or the depth is used up.
contract DelegatesToItself {
    fallback() external {
        assembly {
            calldatacopy(0, 0, calldatasize())
            let ok := delegatecall(gas(), address(), 0, calldatasize(), 0, 0)
            returndatacopy(0, 0, returndatasize())
            if ok { return(0, returndatasize()) }
            revert(0, returndatasize())
        }
    }
}
