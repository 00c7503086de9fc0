export declare const digitsUrl: URL
export declare const digitClassifierUrl: URL
export declare const digits16Url: URL
export declare const digits16CardUrl: URL
export declare const digits16EtaUrl: URL
export declare const digits16DeltaUrl: URL
