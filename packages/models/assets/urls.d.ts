export declare const digitsUrl: URL
export declare const digitClassifierUrl: URL
