//! BLAKE2b and BLAKE2s (RFC 7693) with the whole parameter block, tree hashing included.

/// The parameters, with their defaults' meaning in RFC 7693 and the BLAKE2 paper.
#[derive(Clone, Copy)]
pub(super) struct Parameters<'a> {
    pub digest_size: u8,
    pub key: &'a [u8],
    pub salt: &'a [u8],
    pub person: &'a [u8],
    pub fanout: u8,
    pub depth: u8,
    pub leaf_size: u32,
    pub node_offset: u64,
    pub node_depth: u8,
    pub inner_size: u8,
    pub last_node: bool,
}

/// Which message word goes where, for each round.
const SIGMA: [[u8; 16]; 10] = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
    [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
    [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
    [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
    [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
    [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
    [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
    [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
    [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
];

macro_rules! blake2 {
    ($name:ident, $word:ty, $count:ty, $block:literal, $max:literal, $rounds:literal, $rotations:expr, $iv:expr, $parameters:expr) => {
        #[doc = concat!("The state of a hash with blocks of ", stringify!($block), " bytes.")]
        #[derive(Clone)]
        pub(super) struct $name {
            h: [$word; 8],
            counter: $count,
            block: [u8; $block],
            filled: usize,
            digest_size: u8,
            last_node: bool,
        }

        impl $name {
            /// The size of a block in bytes.
            pub const BLOCK: usize = $block;
            /// The largest digest and key in bytes.
            pub const MAX: usize = $max;
            /// The sizes of salt and person in bytes.
            pub const SALT: usize = $max / 4;
            const IV: [$word; 8] = $iv;

            /// A hash with the given parameters, which are in their ranges.
            pub fn new(parameters: &Parameters<'_>) -> $name {
                let words: [$word; 8] = $parameters(parameters);
                let mut state = $name {
                    h: Self::IV,
                    counter: 0,
                    block: [0; $block],
                    filled: 0,
                    digest_size: parameters.digest_size,
                    last_node: parameters.last_node,
                };
                for (h, word) in state.h.iter_mut().zip(words) {
                    *h ^= word;
                }
                if !parameters.key.is_empty() {
                    state.block[..parameters.key.len()].copy_from_slice(parameters.key);
                    state.filled = $block;
                }
                state
            }

            /// The size of the digest in bytes.
            pub fn digest_size(&self) -> usize {
                usize::from(self.digest_size)
            }

            /// Feeds data.
            pub fn update(&mut self, mut data: &[u8]) {
                while !data.is_empty() {
                    // A full block waits until more comes: the last one is compressed in another way.
                    if self.filled == $block {
                        self.counter = self.counter.wrapping_add($block);
                        let block = self.block;
                        self.compress(&block, false);
                        self.filled = 0;
                        while data.len() > $block {
                            let (block, rest) = data.split_at($block);
                            self.counter = self.counter.wrapping_add($block);
                            if let Ok(block) = block.try_into() {
                                self.compress(block, false);
                            }
                            data = rest;
                        }
                    }
                    let taken = data.len().min($block - self.filled);
                    self.block[self.filled..self.filled + taken].copy_from_slice(&data[..taken]);
                    self.filled += taken;
                    data = &data[taken..];
                }
            }

            /// The digest, in the first bytes of the result.
            pub fn finish(mut self) -> [u8; $max] {
                self.counter = self.counter.wrapping_add(self.filled as $count);
                self.block[self.filled..].fill(0);
                let block = self.block;
                self.compress(&block, true);
                let mut out = [0; $max];
                for (place, word) in out.chunks_exact_mut(size_of::<$word>()).zip(self.h) {
                    place.copy_from_slice(&word.to_le_bytes());
                }
                out
            }

            fn compress(&mut self, block: &[u8; $block], last: bool) {
                const R: [u32; 4] = $rotations;
                let mut m = [0 as $word; 16];
                for (word, bytes) in m.iter_mut().zip(block.as_chunks::<{ size_of::<$word>() }>().0) {
                    *word = <$word>::from_le_bytes(*bytes);
                }
                let mut v = [0 as $word; 16];
                v[..8].copy_from_slice(&self.h);
                v[8..].copy_from_slice(&Self::IV);
                v[12] ^= self.counter as $word;
                v[13] ^= (self.counter >> <$word>::BITS) as $word;
                if last {
                    v[14] = !v[14];
                    if self.last_node {
                        v[15] = !v[15];
                    }
                }
                for round in 0..$rounds {
                    let s = &SIGMA[round % 10];
                    let mut mix = |a: usize, b: usize, c: usize, d: usize, i: usize| {
                        let (x, y) = (m[usize::from(s[2 * i])], m[usize::from(s[2 * i + 1])]);
                        v[a] = v[a].wrapping_add(v[b]).wrapping_add(x);
                        v[d] = (v[d] ^ v[a]).rotate_right(R[0]);
                        v[c] = v[c].wrapping_add(v[d]);
                        v[b] = (v[b] ^ v[c]).rotate_right(R[1]);
                        v[a] = v[a].wrapping_add(v[b]).wrapping_add(y);
                        v[d] = (v[d] ^ v[a]).rotate_right(R[2]);
                        v[c] = v[c].wrapping_add(v[d]);
                        v[b] = (v[b] ^ v[c]).rotate_right(R[3]);
                    };
                    mix(0, 4, 8, 12, 0);
                    mix(1, 5, 9, 13, 1);
                    mix(2, 6, 10, 14, 2);
                    mix(3, 7, 11, 15, 3);
                    mix(0, 5, 10, 15, 4);
                    mix(1, 6, 11, 12, 5);
                    mix(2, 7, 8, 13, 6);
                    mix(3, 4, 9, 14, 7);
                }
                for (index, h) in self.h.iter_mut().enumerate() {
                    *h ^= v[index] ^ v[index + 8];
                }
            }
        }
    };
}

blake2!(
    Blake2b,
    u64,
    u128,
    128,
    64,
    12,
    [32, 24, 16, 63],
    [
        0x6a09_e667_f3bc_c908,
        0xbb67_ae85_84ca_a73b,
        0x3c6e_f372_fe94_f82b,
        0xa54f_f53a_5f1d_36f1,
        0x510e_527f_ade6_82d1,
        0x9b05_688c_2b3e_6c1f,
        0x1f83_d9ab_fb41_bd6b,
        0x5be0_cd19_137e_2179,
    ],
    |p: &Parameters<'_>| {
        let mut block = [0; 64];
        block[..4].copy_from_slice(&[p.digest_size, p.key.len() as u8, p.fanout, p.depth]);
        block[4..8].copy_from_slice(&p.leaf_size.to_le_bytes());
        block[8..16].copy_from_slice(&p.node_offset.to_le_bytes());
        block[16..18].copy_from_slice(&[p.node_depth, p.inner_size]);
        block[32..32 + p.salt.len()].copy_from_slice(p.salt);
        block[48..48 + p.person.len()].copy_from_slice(p.person);
        let mut words = [0; 8];
        for (word, bytes) in words.iter_mut().zip(block.as_chunks().0) {
            *word = u64::from_le_bytes(*bytes);
        }
        words
    }
);

blake2!(
    Blake2s,
    u32,
    u64,
    64,
    32,
    10,
    [16, 12, 8, 7],
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19,],
    |p: &Parameters<'_>| {
        let mut block = [0; 32];
        block[..4].copy_from_slice(&[p.digest_size, p.key.len() as u8, p.fanout, p.depth]);
        block[4..8].copy_from_slice(&p.leaf_size.to_le_bytes());
        // The node offset has 48 bits here.
        block[8..14].copy_from_slice(&p.node_offset.to_le_bytes()[..6]);
        block[14..16].copy_from_slice(&[p.node_depth, p.inner_size]);
        block[16..16 + p.salt.len()].copy_from_slice(p.salt);
        block[24..24 + p.person.len()].copy_from_slice(p.person);
        let mut words = [0; 8];
        for (word, bytes) in words.iter_mut().zip(block.as_chunks().0) {
            *word = u32::from_le_bytes(*bytes);
        }
        words
    }
);

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(digest_size: u8) -> Parameters<'static> {
        Parameters {
            digest_size,
            key: b"",
            salt: b"",
            person: b"",
            fanout: 1,
            depth: 1,
            leaf_size: 0,
            node_offset: 0,
            node_depth: 0,
            inner_size: 0,
            last_node: false,
        }
    }

    #[test]
    fn the_examples_of_the_rfc_hold() {
        let mut b = Blake2b::new(&plain(64));
        b.update(b"abc");
        assert_eq!(b.finish()[..8], [0xBA, 0x80, 0xA5, 0x3F, 0x98, 0x1C, 0x4D, 0x0D]);
        let mut s = Blake2s::new(&plain(32));
        s.update(b"abc");
        assert_eq!(s.finish()[..8], [0x50, 0x8C, 0x5E, 0x8C, 0x32, 0x7C, 0x14, 0xE2]);
    }

    #[test]
    fn pieces_give_what_the_whole_gives() {
        let data: Vec<u8> = (0..1000u32).map(|n| n as u8).collect();
        let mut whole = Blake2b::new(&plain(64));
        whole.update(&data);
        let whole = whole.finish();
        for size in [1, 127, 128, 129, 256] {
            let mut pieces = Blake2b::new(&plain(64));
            data.chunks(size).for_each(|piece| pieces.update(piece));
            assert_eq!(pieces.finish(), whole, "{size}");
        }
    }
}
