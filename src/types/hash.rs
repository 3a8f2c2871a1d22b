//! Hashing of byte sequences: SipHash-1-3 under the process's key, as CPython hashes strings and bytes.

use crate::state::Runtime;

/// The hash of a string's or bytes object's data: 0 for nothing, never -1.
#[inline]
pub fn hash_bytes(bytes: &[u8]) -> isize {
    if bytes.is_empty() {
        return 0;
    }
    let key = Runtime::get().hash_key();
    match siphash13(key[0], key[1], bytes) as isize {
        -1 => -2,
        hash => hash,
    }
}

/// One SipHash round over the four state words.
#[inline(always)]
fn round(v: &mut [u64; 4]) {
    v[0] = v[0].wrapping_add(v[1]);
    v[2] = v[2].wrapping_add(v[3]);
    v[1] = v[1].rotate_left(13) ^ v[0];
    v[3] = v[3].rotate_left(16) ^ v[2];
    v[0] = v[0].rotate_left(32);
    v[2] = v[2].wrapping_add(v[1]);
    v[0] = v[0].wrapping_add(v[3]);
    v[1] = v[1].rotate_left(17) ^ v[2];
    v[3] = v[3].rotate_left(21) ^ v[0];
    v[2] = v[2].rotate_left(32);
}

/// SipHash with one round per word and three at the end, under any key.
#[inline]
pub fn siphash13(k0: u64, k1: u64, bytes: &[u8]) -> u64 {
    let mut v = [
        k0 ^ 0x736f_6d65_7073_6575,
        k1 ^ 0x646f_7261_6e64_6f6d,
        k0 ^ 0x6c79_6765_6e65_7261,
        k1 ^ 0x7465_6462_7974_6573,
    ];
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        let word = u64::from_le_bytes(*word);
        v[3] ^= word;
        round(&mut v);
        v[0] ^= word;
    }
    let mut last = (bytes.len() as u64) << 56;
    for (index, byte) in rest.iter().enumerate() {
        last |= u64::from(*byte) << (8 * index);
    }
    v[3] ^= last;
    round(&mut v);
    v[0] ^= last;
    v[2] ^= 0xff;
    round(&mut v);
    round(&mut v);
    round(&mut v);
    v[0] ^ v[1] ^ v[2] ^ v[3]
}

#[cfg(test)]
mod tests {
    use super::siphash13;

    #[test]
    fn siphash_with_a_zero_key_is_cpythons() {
        // PYTHONHASHSEED=0 python3 -c "print(hash('a'), hash('abcdefgh'))"
        assert_eq!(siphash13(0, 0, b"a") as i64, HASH_A);
        assert_eq!(siphash13(0, 0, b"abcdefgh") as i64, HASH_ABCDEFGH);
    }

    const HASH_A: i64 = 4644417185603328019;
    const HASH_ABCDEFGH: i64 = 4574395652268504554;
}
