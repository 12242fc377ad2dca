//! A pool of descriptors that is built when something first needs it.

use std::sync::OnceLock;

use prost_reflect::DescriptorPool;

use super::guard::{Broken, guarded};

/// A pool, or the encoded set that it can be built from.
#[derive(Default)]
pub(super) struct LazyPool {
    set: Vec<u8>,
    pool: OnceLock<DescriptorPool>,
}

impl LazyPool {
    /// A pool that is built already.
    pub(super) fn built(pool: DescriptorPool) -> Self {
        Self {
            set: Vec::new(),
            pool: OnceLock::from(pool),
        }
    }

    /// The pool of an encoded set that this program made from a pool. If the set cannot be decoded, the pool is empty.
    pub(super) const fn of_set(set: Vec<u8>) -> Self {
        Self {
            set,
            pool: OnceLock::new(),
        }
    }

    pub(super) fn pool(&self) -> &DescriptorPool {
        self.pool.get_or_init(|| {
            if self.set.is_empty() {
                return DescriptorPool::default();
            }
            let decoded = guarded(|| DescriptorPool::decode(self.set.as_slice()));
            match decoded {
                Ok(Ok(pool)) => pool,
                Ok(Err(_)) | Err(Broken) => DescriptorPool::default(),
            }
        })
    }
}
